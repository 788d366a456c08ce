-- What tests may do: see tests/lua/test_test.lua.
it("reads a file", function() print("file", pcall(io.lines, "/etc/passwd")) end)
it("reads a variable", function() print("variable", pcall(os.getenv, "HOME")) end)
it("has the runner's means", function()
  print("runner", pcall(require("luge.native.testrun").report, "x"))
end)
