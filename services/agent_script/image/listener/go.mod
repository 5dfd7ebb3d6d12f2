module agent-listener

go 1.24
