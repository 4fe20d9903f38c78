"""What `ops/chaos` is made of. Only the standard library, so that it runs anywhere."""
