"""The stages of a run: each reads files, writes files and leaves a record, so that it is done once."""
