"""Give topics more partitions, and move the state of each key to where its events will come from then on."""
