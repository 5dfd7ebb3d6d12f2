package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "Hello-Go")
	})
	listen := os.Getenv("LAB_LISTEN_PUBLIC")
	if listen == "" {
		listen = ":8080"
	}
	log.Printf("Hello-Go listens on %s", listen)
	log.Fatal(http.ListenAndServe(listen, nil))
}
