"""What pages and API share: requests, answers, who may do what."""
