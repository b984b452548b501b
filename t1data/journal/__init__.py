"""The durable record of a run (`store`), what it holds (`records`), what people read from it (`outcomes`, `runs`)."""
