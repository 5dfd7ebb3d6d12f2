// Agent.Listener of the lab: what a rehearsal registers and runs in place of Microsoft's.
//
// It takes the options of the real one, calls nobody, writes .agent as the real one does, and then listens
// until it is told to stop. It exists so that a real program of the chosen processor is started, or is not.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

var flags = map[string]bool{
	"deploymentpool": true, "deploymentgroup": true, "environment": true, "acceptteeeula": true,
	"unattended": true, "replace": true, "runasservice": true,
	"adddeploymentgrouptags": true, "addvirtualmachineresourcetags": true,
}

var values = map[string]bool{
	"deploymentpoolname": true, "deploymentgroupname": true, "environmentname": true, "pool": true,
	"projectname": true, "deploymentgrouptags": true, "virtualmachineresourcetags": true,
	"agent": true, "url": true, "work": true, "auth": true, "token": true,
}

var targets = []string{"deploymentpoolname", "deploymentgroupname", "environmentname", "pool"}

func main() {
	command, arguments := "help", []string(nil)
	if len(os.Args) > 1 {
		command, arguments = os.Args[1], os.Args[2:]
	}
	switch command {
	case "configure":
		configure(arguments)
	case "run":
		run()
	default:
		fail("Agent.Listener of the lab takes configure or run.")
	}
}

func configure(arguments []string) {
	options := read(arguments)
	if options["token"] != "" {
		fail("A token stands on the command line, where every user of this machine can read it.")
	}
	target := ""
	for _, name := range targets {
		if options[name] != "" {
			target = options[name]
		}
	}
	for name, text := range map[string]string{"--url": options["url"], "the target's name": target, "--agent": options["agent"]} {
		if text == "" {
			fail("Unconfigured: %s is missing.", name)
		}
	}
	if _, err := os.Stat(".agent"); err == nil {
		fail("An agent is configured here already.")
	}
	fmt.Printf("This program is for %s, and so is this machine.\n", processor())
	fmt.Printf(">> Connect: %s (the lab calls nobody)\n", options["url"])
	fmt.Printf(">> Register Agent: %s in %s\n", options["agent"], target)
	settings := fmt.Sprintf("{\"agentName\": %q, \"target\": %q, \"serverUrl\": %q, \"workFolder\": %q}\n",
		options["agent"], target, options["url"], options["work"])
	if err := os.WriteFile(".agent", []byte(settings), 0o600); err != nil {
		fail("%v", err)
	}
	fmt.Println("Settings Saved.")
}

func read(arguments []string) map[string]string {
	options := map[string]string{}
	for place := 0; place < len(arguments); place++ {
		name := strings.ToLower(strings.TrimPrefix(arguments[place], "--"))
		switch {
		case strings.HasPrefix(arguments[place], "--") && flags[name]:
			options[name] = "true"
		case strings.HasPrefix(arguments[place], "--") && values[name] && place+1 < len(arguments):
			place++
			options[name] = arguments[place]
		default:
			fail("Unrecognized command-line input arguments: '%s'.", arguments[place])
		}
	}
	return options
}

func run() {
	if _, err := os.Stat(".agent"); err != nil {
		fail("Not configured.")
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	fmt.Println("Listening for Jobs")
	<-told
	fmt.Println("Exiting...")
}

func processor() string {
	return runtime.GOOS + "/" + runtime.GOARCH
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}
