"""The real etcd as the judge: the same random histories on both, the same answers."""
