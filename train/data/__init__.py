"""Photos with labels, masks and fixations, and what is cut out of them: views and patches."""
