"""What a user's own optimizer, loss, penalty, schedule or dynamics has to hold to, tried before it trains."""
