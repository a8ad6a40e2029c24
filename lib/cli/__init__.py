"""The commands of the command line, a module each, and what they share. What is heavy is imported when it is needed."""
