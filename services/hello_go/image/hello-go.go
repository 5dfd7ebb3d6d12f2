package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello-Go")
	})
	// Where the article has ":8080": Labdeck says where to listen when there is no container around it.
	listen := os.Getenv("LAB_LISTEN_PUBLIC")
	if listen == "" {
		listen = ":8080"
	}
	log.Printf("Hello-Go listens on %s", listen)
	log.Fatal(http.ListenAndServe(listen, nil))
}
