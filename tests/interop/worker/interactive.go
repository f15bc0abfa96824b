package main

import (
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Interactive keeps a list of people. The update "add" adds one and returns how many there are, the query "named" finds
// one, and the signal "release" ends the run, whose result is the list.
func Interactive(ctx workflow.Context) ([]Person, error) {
	people := []Person{}

	named := func(name string) (*Person, error) {
		if name == "" {
			return nil, errors.New("whom do you want?")
		}
		for _, person := range people {
			if person.Name == name {
				return &person, nil
			}
		}
		return nil, nil
	}
	if err := workflow.SetQueryHandler(ctx, "named", named); err != nil {
		return nil, err
	}

	add := func(_ workflow.Context, person Person) (int, error) {
		if person.Age > 150 {
			return 0, temporal.NewApplicationError("nobody is that old", "TooOld", person.Age)
		}
		people = append(people, person)
		return len(people), nil
	}
	options := workflow.UpdateHandlerOptions{Validator: func(person Person) error {
		if person.Name == "" {
			return errors.New("everybody has a name")
		}
		return nil
	}}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, "add", add, options); err != nil {
		return nil, err
	}

	workflow.GetSignalChannel(ctx, releaseSignal).Receive(ctx, nil)
	return people, nil
}
