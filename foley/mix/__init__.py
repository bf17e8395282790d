"""Places, sums, masters and checks what was made."""
