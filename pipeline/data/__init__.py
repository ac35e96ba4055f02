"""The data room: manifests, filesets, schemas of the releases, and synthetic samples."""
