"""One observable step each: parameters -> library call -> result, artifact, event.

Tasks never retry on their own: the API client does, and one layer of retries is enough. They read and change the
world, so nothing about them is cached.
"""
