package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/common/searchattribute/sadefs"
	"google.golang.org/grpc"
)

// maxNamespaceLength is the server's own limit (limit.maxIDLength).
const maxNamespaceLength = 1000

func checkNamespace(name string) error {
	switch {
	case name == "":
		return errors.New("a namespace needs a name")
	case name == primitives.SystemLocalNamespace:
		return errors.New("this namespace belongs to the server")
	case len(name) > maxNamespaceLength:
		return fmt.Errorf("longer than %d bytes", maxNamespaceLength)
	case strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '/'
	}):
		return errors.New("a namespace has no spaces, slashes or unprintable characters")
	}
	return nil
}

const searchAttributeTypes = "Bool, Datetime, Double, Int, Keyword, KeywordList, Text"

func addSearchAttribute(target map[string]enumspb.IndexedValueType) func(string) error {
	return func(pair string) error {
		name, typeName, err := splitPair(pair, "NAME=TYPE, e.g. CustomerId=Keyword")
		if err != nil {
			return err
		}
		valueType, err := searchAttributeType(typeName)
		if err != nil {
			return err
		}
		if sadefs.IsReserved(name) {
			return fmt.Errorf("search attribute %q belongs to the server", name)
		}
		if previous, ok := target[name]; ok && previous != valueType {
			return fmt.Errorf("search attribute %q is both %s and %s", name, previous, valueType)
		}
		target[name] = valueType
		return nil
	}
}

func searchAttributeType(name string) (enumspb.IndexedValueType, error) {
	for _, known := range strings.Split(searchAttributeTypes, ", ") {
		if strings.EqualFold(name, known) {
			return enumspb.IndexedValueTypeFromString(known)
		}
	}
	return 0, fmt.Errorf("%q is no search attribute type: give one of %s", name, searchAttributeTypes)
}

// completeSearchAttributes adds the search attributes that a namespace of an earlier run does not have yet. Namespaces
// made by this run have them from the start.
func completeSearchAttributes(
	ctx context.Context,
	conn grpc.ClientConnInterface,
	namespace string,
	wanted map[string]enumspb.IndexedValueType,
) error {
	if len(wanted) == 0 {
		return nil
	}
	operator := operatorservice.NewOperatorServiceClient(conn)
	present, err := operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("cannot list the search attributes of namespace %q: %w", namespace, err)
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, valueType := range wanted {
		existing, ok := present.GetCustomAttributes()[name]
		switch {
		case !ok:
			missing[name] = valueType
		case existing != valueType:
			return fmt.Errorf("search attribute %q of namespace %q is %s in the database, not %s",
				name, namespace, existing, valueType)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace:        namespace,
		SearchAttributes: missing,
	})
	if err != nil {
		return fmt.Errorf("cannot add search attributes to namespace %q: %w", namespace, err)
	}
	return nil
}

// checkSearchAttributeCounts refuses more attributes of a type than a namespace has columns for.
func checkSearchAttributeCounts(attributes map[string]enumspb.IndexedValueType) error {
	columns := map[enumspb.IndexedValueType]int{}
	for _, valueType := range sadefs.GetDBIndexSearchAttributes(nil).GetCustomSearchAttributes() {
		columns[valueType]++
	}
	wanted := map[enumspb.IndexedValueType]int{}
	for _, valueType := range attributes {
		wanted[valueType]++
	}
	var problems []string
	for valueType, count := range wanted {
		if count > columns[valueType] {
			problems = append(problems, fmt.Sprintf("%d of type %s (at most %d)", count, valueType, columns[valueType]))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	slices.Sort(problems)
	return fmt.Errorf("too many search attributes: %s", strings.Join(problems, ", "))
}
