package main

import (
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
)

// register puts everything that tests may call on the worker. Go names are the names on the wire, unless one says else.
func register(w worker.Worker) error {
	for _, workflow := range []any{
		Echo, Fail, Hold, ContinueOnce, // to be started as children
		CallActivities, CallChild, CancelChild, CallFailing, CallOperation, // callers of Python
		Steer,       // signals and cancels
		Interactive, // queries and updates
		Greet,       // behind Nexus operations, as is Hold
	} {
		w.RegisterWorkflow(workflow)
	}
	for name, function := range map[string]any{
		"EchoNote":   echo[*string],
		"EchoBytes":  echo[[]byte],
		"EchoInt":    echo[int64],
		"EchoFloat":  echo[float64],
		"EchoText":   echo[string],
		"EchoList":   echo[[]string],
		"EchoMap":    echo[map[string]any],
		"EchoPerson": echo[Person],
		"Combine":    Combine,
		"Nothing":    Nothing,
		"FailWith":   FailWith,
		"Beat":       Beat,
		"Resume":     Resume,
	} {
		w.RegisterActivityWithOptions(function, activity.RegisterOptions{Name: name})
	}
	service, err := newService()
	if err != nil {
		return err
	}
	w.RegisterNexusService(service)
	return nil
}
