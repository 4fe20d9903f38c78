// The web server the pixel-tracker article builds: one Node process that parses the query string,
// pushes it to a buffer flushed at 500 rows or every 300 ms, and answers a GIF. Here a flush only
// serialises the rows and delivers them nowhere, so what this costs is less than the real one.
//
//     node article-server.js PORT
'use strict';
const http = require('http');
const { parse } = require('url');

const ROWS_MAX = 500;
const FLUSH_MS = 300;
const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64');

let buffer = [];
let bytesSerialised = 0;

function flush() {
  for (const row of buffer) bytesSerialised += Buffer.byteLength(`${JSON.stringify(row)}\n`);
  buffer = [];
}

function push(row) {
  buffer.push(row);
  if (buffer.length >= ROWS_MAX) flush();
}

setInterval(flush, FLUSH_MS);

const server = http.createServer((request, response) => {
  push(parse(request.url, true).query);
  response.setHeader('Content-Type', 'image/gif');
  response.end(PIXEL);
});
server.keepAliveTimeout = 0; // idle connections stay, as they do at the other servers
server.listen(Number(process.argv[2]), '127.0.0.1');
