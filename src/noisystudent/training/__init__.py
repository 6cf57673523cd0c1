"""How one network is trained: batches, loss, optimizer, schedule, moving average, and the loop."""
