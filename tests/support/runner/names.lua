-- Names and errors of any bytes: see tests/lua/test_test.lua.
it("\27[2J\nline #2 \0\255", function() error("\27]0;title\7 ü \255", 0) end)
it("is skipped", function() end, { skip = "for\n\27[31m" })
