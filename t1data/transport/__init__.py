"""One HTTP exchange (`transport`, over `lines`), and what decides about it: address, key, pace, retry, answers."""
