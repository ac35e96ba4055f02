"""Where manifests come from: the official client and the portal's records, joined and checked."""
