package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"go.temporal.io/server/chasm/lib/activity"
	"go.temporal.io/server/chasm/lib/callback"
	"go.temporal.io/server/chasm/lib/nexusoperation"
	"go.temporal.io/server/common/dynamicconfig"
	legacynexus "go.temporal.io/server/components/nexusoperations"
	"gopkg.in/yaml.v3"
)

// plenty stands for "no limit" where the server knows no such value.
const plenty = 1_000_000

// anyAddress lets callbacks go anywhere, this machine included, without TLS.
var anyAddress = []any{map[string]any{"Pattern": "*", "AllowInsecure": true}}

// settingsOf returns the dynamic configuration: what a development server wants, under what the user gave.
func settingsOf(opts *options, httpAddress string) dynamicconfig.Client {
	callbackURL := "http://" + httpAddress + "/namespaces/{{.NamespaceName}}/nexus/callback"
	settings := dynamicconfig.StaticClient{
		// Time skipping: one timer must fire within the shift of its deadline, and a session must not run dry.
		dynamicconfig.WorkflowTimeSkippingEnabled.Key():           true,
		dynamicconfig.WorkflowTimeSkippingMaxSkipPerSession.Key(): plenty,
		dynamicconfig.TimerProcessorMaxTimeShift.Key():            20 * time.Millisecond,
		// The pause before a run that continues as new at once is counted twice on a clock that has skipped.
		dynamicconfig.WorkflowIdReuseMinimalInterval.Key(): time.Duration(0),

		// Features that a cluster switches on one by one.
		dynamicconfig.FrontendEnableWorkerVersioningDataAPIs.Key():               true,
		dynamicconfig.FrontendEnableWorkerVersioningWorkflowAPIs.Key():           true,
		dynamicconfig.FrontendEnableWorkerVersioningRuleAPIs.Key():               true,
		dynamicconfig.MatchingAutoEnableV2.Key():                                 true, // fairness, once a key is used
		dynamicconfig.EnableSignalWithStartFromWorkflow.Key():                    true,
		dynamicconfig.EnableWorkflowUpdateCallbacks.Key():                        true,
		dynamicconfig.WorkflowPauseEnabled.Key():                                 true,
		dynamicconfig.WorkflowRulesAPIsEnabled.Key():                             true,
		dynamicconfig.FrontendEnableBatchOperationsForStandaloneActivities.Key(): true,
		activity.EnableCallbacks.Key():                                           true,
		activity.EnableStandaloneActivityOperatorCommands.Key():                  true,
		nexusoperation.Enabled.Key():                                             true,

		// Nexus callbacks come back to this process; user callbacks may go anywhere.
		legacynexus.CallbackURLTemplate.Key():    callbackURL,
		nexusoperation.CallbackURLTemplate.Key(): callbackURL,
		callback.AllowedAddresses.Key():          anyAddress,

		// A worker that shuts down takes no task into the void.
		dynamicconfig.EnableCancelWorkerPollsOnShutdown.Key(): true,

		// One process: a write must be seen by the next read, one partition serves a task queue, nobody is throttled.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key():                            true,
		dynamicconfig.ForceNexusEndpointRefreshOnRead.Key():                                    true,
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():                                 1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key():                                1,
		dynamicconfig.FrontendRPS.Key():                                                        plenty,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():                                 plenty,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key():                       plenty,
		dynamicconfig.FrontendNamespaceReplicationInducingAPIsRPS.Key():                        plenty,
		dynamicconfig.FrontendMaxNamespaceNamespaceReplicationInducingAPIsRPSPerInstance.Key(): plenty,
		dynamicconfig.FrontendGlobalNamespaceNamespaceReplicationInducingAPIsRPS.Key():         plenty,
		dynamicconfig.FrontendGlobalWorkerDeploymentReadRPS.Key():                              plenty,
		dynamicconfig.FrontendMaxConcurrentLongRunningRequestsPerInstance.Key():                plenty,
		dynamicconfig.FrontendPersistenceMaxQPS.Key():                                          0,
		dynamicconfig.HistoryRPS.Key():                                                         plenty,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():                                           0,
		// With the server's own 20 a second, the 20th timer or task of a burst waits 50 ms, and each later one as well.
		dynamicconfig.TimerProcessorMaxPollRPS.Key():                               plenty,
		dynamicconfig.TransferProcessorMaxPollRPS.Key():                            plenty,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key():                          plenty,
		dynamicconfig.OutboundProcessorMaxPollRPS.Key():                            plenty,
		dynamicconfig.AdminMatchingNamespaceToPartitionDispatchRate.Key():          float64(plenty),
		dynamicconfig.AdminMatchingNamespaceTaskqueueToPartitionDispatchRate.Key(): float64(plenty),
		dynamicconfig.MatchingRPS.Key():                                            plenty,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():                              0,
		dynamicconfig.WorkerPersistenceMaxQPS.Key():                                0,
		dynamicconfig.SchedulerNamespaceStartWorkflowRPS.Key():                     float64(plenty),
		dynamicconfig.VisibilityPersistenceMaxReadQPS.Key():                        plenty,
		dynamicconfig.VisibilityPersistenceMaxWriteQPS.Key():                       plenty,

		// Nothing is asked of the network, and no janitor works for a database of this size.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
		dynamicconfig.HistoryScannerEnabled.Key():    false,
		dynamicconfig.TaskQueueScannerEnabled.Key():  false,

		// A stop should take a second or two.
		dynamicconfig.FrontendShutdownDrainDuration.Key():           time.Duration(0),
		dynamicconfig.FrontendShutdownFailHealthCheckDuration.Key(): time.Duration(0),
		dynamicconfig.HistoryShutdownDrainDuration.Key():            time.Duration(0),
		dynamicconfig.MatchingShutdownDrainDuration.Key():           time.Duration(0),
	}
	for key, values := range opts.dynamicConfig {
		settings[key] = values
	}
	return settings
}

// addDynamicConfigValue reads KEY=JSON. Keys and value types are checked against the settings the server registers, so
// that a typo is an error here and not a default there.
func addDynamicConfigValue(target dynamicconfig.ConfigValueMap) func(string) error {
	return func(pair string) error {
		name, text, err := splitPair(pair, "KEY=JSON, e.g. limit.blobSize.warn=1048576")
		if err != nil {
			return err
		}
		value, err := decodeJSON(text)
		if err != nil {
			return fmt.Errorf("the value of %s is no JSON (%w); strings need double quotes", name, err)
		}
		document, err := yaml.Marshal([]any{map[string]any{"value": value}})
		if err != nil {
			return fmt.Errorf("the value of %s: %w", name, err)
		}
		loader := dynamicconfig.YamlLoader{Map: target}
		loader.LoadValue(dynamicconfig.MakeKey(name), document)
		if problem := errors.Join(append(loader.Errors, loader.Warnings...)...); problem != nil {
			delete(target, dynamicconfig.MakeKey(name))
			return problem
		}
		return nil
	}
}

// decodeJSON decodes exactly one JSON value and keeps whole numbers whole: the server takes no 1e3 or 5.0 for an int.
func decodeJSON(text string) (any, error) {
	decoder := json.NewDecoder(bytes.NewBufferString(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return plainNumbers(value), nil
}

func plainNumbers(value any) any {
	switch value := value.(type) {
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole
		}
		if fraction, err := value.Float64(); err == nil && !math.IsInf(fraction, 0) {
			return fraction
		}
		return value.String()
	case []any:
		for i := range value {
			value[i] = plainNumbers(value[i])
		}
	case map[string]any:
		for key := range value {
			value[key] = plainNumbers(value[key])
		}
	}
	return value
}
