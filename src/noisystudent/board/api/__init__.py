"""The API at `/api/v1`: the old site's resources and page shape, so that its published client works unchanged."""
