"""Which images of a run are worth a person's minute, and the forms in which the person is asked."""
