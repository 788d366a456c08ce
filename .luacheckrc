std = "lua54"
max_line_length = 100
files["tests/lua"] = { globals = { "describe", "it", "before", "after", "before_each", "after_each" } }
files["tests/support/runner"] = { globals = { "describe", "it", "before", "after", "before_each", "after_each" } }
