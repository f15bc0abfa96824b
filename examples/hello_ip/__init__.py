"""A distributed hello world: two HTTP calls and a timer that survive whatever happens to them."""
