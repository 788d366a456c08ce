it("passes", function() end)
it("crashes", function() os.exit(3) end)
it("never runs", function() end)
