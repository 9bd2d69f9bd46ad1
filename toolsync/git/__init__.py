"""Releases in a team's own git repository: imported, or proposed before they go out."""
