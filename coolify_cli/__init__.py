"""The `coolify` command: arguments, prompts, output. Flows are imported only inside the commands that run them."""
