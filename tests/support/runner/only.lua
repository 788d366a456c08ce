it("a", function() end) it("b", function() end, { only = true })
