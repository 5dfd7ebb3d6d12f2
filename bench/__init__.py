"""What Labdeck costs, measured against peers in the same run; targets are printed, never asserted."""
