"""Auth: flows that give the headers which say who we are. They know nothing of chat."""
