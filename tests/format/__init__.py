"""A reader of stores that knows nothing but FORMAT.md, and what it finds in stores old and new."""
