"""Every room of Labdeck; `docs/how-it-works.md` has the map."""
