"""What `loadtest/peers/bench` is made of. Only the standard library, so that it runs anywhere."""
