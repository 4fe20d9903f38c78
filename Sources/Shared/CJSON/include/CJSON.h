#ifndef HYDRANT_CJSON_H
#define HYDRANT_CJSON_H
#endif
