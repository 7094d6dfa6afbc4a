"""What servers tell of operations by Subscriptions: taken, asked for where it was missed, and told where it is lost."""
