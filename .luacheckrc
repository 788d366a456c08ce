std = "lua54"
max_line_length = 100
-- Made by scripts/reference: functions without bodies.
exclude_files = { "types", "build*" }
-- Tests leave loops at once, and make garbage, on purpose.
files["tests"] = { ignore = { "241", "512" } }
files["tests/lua"] = { globals = { "describe", "it", "before", "after", "before_each", "after_each" } }
files["tests/support/runner"] = { globals = { "describe", "it", "before", "after", "before_each", "after_each" } }
-- What sandbox_server.c offers to its script.
files["examples/embed/sandbox_server.lua"] = { read_globals = { "run_script" } }
-- What disk_faults_test.c offers to its script.
files["tests/support/disk_faults.lua"] = { read_globals = { "disk" } }
