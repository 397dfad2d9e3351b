"""Routes: where walks begin and end, which way they take, and who walks them how."""
