"""Many images: a list of work in shards, worker processes, and what each shard left."""
