"""What is wrong with rows: cells, rows and whole tables; told, or set aside."""
