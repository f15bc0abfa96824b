package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	commandpb "go.temporal.io/api/command/v1"
	enumspb "go.temporal.io/api/enums/v1"
	_ "go.temporal.io/api/operatorservice/v1"
	protocolpb "go.temporal.io/api/protocol/v1"
	"go.temporal.io/api/workflowservice/v1"
	_ "go.temporal.io/server/api/adminservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"
)

// victim is the namespace that malformed requests name: they may as well delete it.
const victim = "victim"

// TestMalformedRequests sends bad requests to every RPC and shows that the server still runs workflows after each RPC.
func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--namespace", victim, "--headless", "--log-level", "error")
	conn := server.connect()

	for _, service := range []protoreflect.FullName{
		"temporal.api.workflowservice.v1.WorkflowService",
		"temporal.api.operatorservice.v1.OperatorService",
		"temporal.server.api.adminservice.v1.AdminService",
	} {
		descriptor, err := protoregistry.GlobalFiles.FindDescriptorByName(service)
		require.NoError(t, err)
		methods := descriptor.(protoreflect.ServiceDescriptor).Methods()
		require.NotZero(t, methods.Len())
		for i := range methods.Len() {
			method := methods.Get(i)
			t.Run(string(service.Parent().Parent().Name())+"/"+string(method.Name()), func(t *testing.T) {
				answers := sendMalformed(conn, method)
				require.True(t, server.alive(), "the server died: %s", server.stderr)
				delete(answers, codes.Internal) // bytes that cannot be decoded
				require.NotEmpty(t, answers, "no request came as far as the handler")
				requireServing(t, conn)
			})
		}
	}
}

// TestMalformedCommands completes real workflow tasks with bad commands of every type, and with bad update messages.
func TestMalformedCommands(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--namespace", victim, "--headless", "--log-level", "error")
	conn := server.connect()
	frontend := workflowservice.NewWorkflowServiceClient(conn)
	attributes := (&commandpb.Command{}).ProtoReflect().Descriptor().Oneofs().ByName("attributes").Fields()

	complete := func(t *testing.T, request *workflowservice.RespondWorkflowTaskCompletedRequest) {
		id := uuid.NewString()
		startWorkflow(t, frontend, victim, id)
		request.Namespace = victim
		request.TaskToken = pollWorkflowTask(t, frontend, victim, id).GetTaskToken()
		_, _ = frontend.RespondWorkflowTaskCompleted(withDeadline(t), request)
	}
	for number, name := range enumspb.CommandType_name {
		t.Run(name, func(t *testing.T) {
			commandType := enumspb.CommandType(number)
			bare := &commandpb.Command{CommandType: commandType}
			complete(t, &workflowservice.RespondWorkflowTaskCompletedRequest{Commands: []*commandpb.Command{bare, bare}})

			own := strings.ToLower(strings.TrimPrefix(name, "COMMAND_TYPE_")) + "_command_attributes"
			field := attributes.ByName(protoreflect.Name(own))
			if field == nil { // the unspecified type: give it those of another
				field = attributes.Get(0)
			}
			for seed, choose := range []chooser{
				emptyValues, plausibleValues, highestValues, lowestValues,
				randomValues(rand.New(rand.NewPCG(1, 1))), randomValues(rand.New(rand.NewPCG(2, 2))),
			} {
				bad := &commandpb.Command{CommandType: commandType}
				filler{1 + seed%maxDepth, choose}.set(bad.ProtoReflect(), field)
				complete(t, &workflowservice.RespondWorkflowTaskCompletedRequest{Commands: []*commandpb.Command{bad}})
			}
			require.True(t, server.alive(), "the server died: %s", server.stderr)
			requireServing(t, conn)
		})
	}
	t.Run("update messages", func(t *testing.T) {
		for _, body := range []string{
			"", "type.googleapis.com/unknown", "type.googleapis.com/temporal.api.update.v1.Acceptance",
			"type.googleapis.com/temporal.api.update.v1.Response", "type.googleapis.com/temporal.api.update.v1.Rejection",
			"type.googleapis.com/temporal.api.update.v1.Request",
		} {
			for _, data := range [][]byte{nil, {0xff}, []byte("data")} {
				complete(t, &workflowservice.RespondWorkflowTaskCompletedRequest{
					Messages: []*protocolpb.Message{
						nil, {Id: "1", ProtocolInstanceId: "none", Body: &anypb.Any{TypeUrl: body, Value: data}},
					},
				})
			}
		}
		require.True(t, server.alive(), "the server died: %s", server.stderr)
		requireServing(t, conn)
	})
}

// TestGarbageOnEveryPort sends bytes of the wrong protocol, and odd HTTP, to each port.
func TestGarbageOnEveryPort(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--metrics-port", "0", "--log-level", "error")
	conn := server.connect()

	urls := []string{server.ready.HTTP, *server.ready.UI, strings.TrimSuffix(*server.ready.Metrics, metricsPath)}
	for _, url := range urls {
		for _, path := range []string{
			"/", "/%00", "//..//..//etc/passwd", "/api/v1/namespaces/%FF/workflows", "/api/v1/namespaces/a/workflows?query=((((",
			"/cluster", "/namespaces/default/nexus/callback", "/nexus/endpoints/none/services/a/b", "/api/v1/settings",
			"/nexus/namespaces/default/task-queues/%2F/nexus-services/a", "/api/v1/namespaces/default/schedules/%20",
		} {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete, "BREW"} {
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
				request, err := http.NewRequestWithContext(ctx, method, url+path, strings.NewReader(`{"identity": 1, "input": [{`))
				if err == nil {
					if response, err := http.DefaultClient.Do(request); err == nil {
						_ = response.Body.Close()
					}
				}
				cancel()
			}
		}
	}
	addresses := []string{server.ready.GRPC}
	for _, url := range urls {
		addresses = append(addresses, strings.TrimPrefix(url, "http://"))
	}
	for _, address := range addresses {
		for _, garbage := range []string{
			"", "\x00", "GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + strings.Repeat("\xff", 10_000),
		} {
			raw, err := net.Dial("tcp", address)
			require.NoError(t, err)
			_, _ = raw.Write([]byte(garbage))
			require.NoError(t, raw.Close())
		}
	}
	require.True(t, server.alive(), "the server died: %s", server.stderr)
	requireServing(t, conn)
	require.NoError(t, waitAnswering(withDeadline(t), *server.ready.UI))
	require.NoError(t, waitAnswering(withDeadline(t), *server.ready.Metrics))
}

// sendMalformed sends every kind of bad request to a method and counts the answers by their code.
func sendMalformed(conn grpc.ClientConnInterface, method protoreflect.MethodDescriptor) map[codes.Code]int {
	name := "/" + string(method.FullName().Parent()) + "/" + string(method.Name())
	send := sendUnary
	if method.IsStreamingServer() {
		send = sendToStream
	}
	answers := map[codes.Code]int{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for _, body := range malformedBodies(method.Input()) {
		wait.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
			defer cancel()
			code := status.Code(send(ctx, conn, name, body))
			mu.Lock()
			defer mu.Unlock()
			answers[code]++
		})
	}
	wait.Wait()
	return answers
}

func sendUnary(ctx context.Context, conn grpc.ClientConnInterface, name string, body []byte) error {
	var answer []byte
	return conn.Invoke(ctx, name, body, &answer, grpc.ForceCodec(rawCodec{}))
}

func sendToStream(ctx context.Context, conn grpc.ClientConnInterface, name string, body []byte) error {
	description := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	stream, err := conn.NewStream(ctx, description, name, grpc.ForceCodec(rawCodec{}))
	if err != nil {
		return err
	}
	if err := stream.SendMsg(body); err != nil {
		return err
	}
	var answer []byte
	return stream.RecvMsg(&answer)
}

// malformedBodies returns serialized requests: nothing, nothing but a namespace, every field at a value that should not
// be, otherwise good requests with one such field, random mixtures, and bytes that are no message at all.
func malformedBodies(request protoreflect.MessageDescriptor) [][]byte {
	var bodies [][]byte
	add := func(message protoreflect.Message) {
		if body, err := proto.Marshal(message.Interface()); err == nil {
			bodies = append(bodies, body)
		}
	}
	choices := []chooser{emptyValues, plausibleValues, highestValues, lowestValues}

	add(baseRequest(request, -1))
	for _, choose := range choices {
		for depth := range maxDepth {
			message := baseRequest(request, -1)
			filler{depth, choose}.fill(message)
			setNamespace(message)
			add(message)
		}
		for i := range request.Fields().Len() {
			message := baseRequest(request, 0)
			filler{maxDepth, choose}.set(message, request.Fields().Get(i))
			add(message)
		}
	}
	for seed := range uint64(24) {
		message := baseRequest(request, int(seed%2))
		filler{maxDepth, randomValues(rand.New(rand.NewPCG(seed, 0)))}.fill(message)
		setNamespace(message)
		add(message)
		body := bodies[len(bodies)-1]
		bodies = append(bodies, body[:len(body)/2])
	}
	return append(bodies, nil, []byte{0xff}, []byte("GET / HTTP/1.1\r\n\r\n"))
}

// maxDepth is how deep messages are filled; a few messages contain themselves.
const maxDepth = 4

// baseRequest returns a request with plausible values down to a depth, -1 for none but the namespace.
func baseRequest(request protoreflect.MessageDescriptor, depth int) protoreflect.Message {
	message := dynamicpb.NewMessage(request)
	filler{depth, plausibleValues}.fill(message)
	setNamespace(message)
	return message
}

func setNamespace(message protoreflect.Message) {
	field := message.Descriptor().Fields().ByName("namespace")
	if field != nil && field.Kind() == protoreflect.StringKind && !field.IsList() {
		message.Set(field, protoreflect.ValueOfString(victim))
	}
}

// chooser picks the value of a field.
type chooser func(protoreflect.FieldDescriptor) protoreflect.Value

// filler sets the fields of a message down to a depth.
type filler struct {
	depth  int
	choose chooser
}

func (f filler) fill(message protoreflect.Message) {
	if f.depth < 0 {
		return
	}
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		f.set(message, fields.Get(i))
	}
}

func (f filler) set(message protoreflect.Message, field protoreflect.FieldDescriptor) {
	deeper := filler{f.depth - 1, f.choose}
	switch {
	case field.IsMap():
		entries := message.Mutable(field).Map()
		key := f.choose(field.MapKey()).MapKey()
		if field.MapValue().Message() != nil {
			deeper.fill(entries.Mutable(key).Message())
		} else {
			entries.Set(key, f.choose(field.MapValue()))
		}
	case field.IsList() && field.Message() != nil:
		deeper.fill(message.Mutable(field).List().AppendMutable().Message())
	case field.IsList():
		message.Mutable(field).List().Append(f.choose(field))
	case field.Message() != nil:
		deeper.fill(message.Mutable(field).Message())
	default:
		message.Set(field, f.choose(field))
	}
}

func emptyValues(field protoreflect.FieldDescriptor) protoreflect.Value {
	return scalar(field, 0, "", nil)
}

func plausibleValues(field protoreflect.FieldDescriptor) protoreflect.Value {
	return scalar(field, 1, "name", []byte(`"data"`))
}

func highestValues(field protoreflect.FieldDescriptor) protoreflect.Value {
	return scalar(field, math.MaxInt64, strings.Repeat("ÿ", 2000), []byte{0xff, 0xff, 0xff, 0xff, 0x0f})
}

func lowestValues(field protoreflect.FieldDescriptor) protoreflect.Value {
	return scalar(field, math.MinInt64, "\x00", []byte{0})
}

func randomValues(random *rand.Rand) chooser {
	numbers := []int64{-1, 0, 1, 2, 7, 1 << 20, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}
	texts := []string{
		"", "default", "name", "temporal-system", "/_sys/name/1", "http://127.0.0.1:1/", "temporal://system", "::1",
		"* * * * *", "@every 1ns", "WorkflowId = 'a' AND (", "%s%n", uuid.NewString(), strings.Repeat("(", 3000),
	}
	return func(field protoreflect.FieldDescriptor) protoreflect.Value {
		text := texts[random.IntN(len(texts))]
		return scalar(field, numbers[random.IntN(len(numbers))], text, []byte(text))
	}
}

// scalar makes a value of the field's type out of what was chosen for its kind.
func scalar(field protoreflect.FieldDescriptor, number int64, text string, data []byte) protoreflect.Value {
	switch field.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(number != 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(clamp(number)))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(clamp(number))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(number)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(clamp(number)))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(uint64(number))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(number))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(float64(number))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(text)
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(data)
	default:
		panic(fmt.Sprintf("no value for a field of kind %s", field.Kind()))
	}
}

func clamp(number int64) int32 {
	return int32(max(math.MinInt32, min(math.MaxInt32, number)))
}

// rawCodec sends bytes as they are.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(value any) ([]byte, error) { return value.([]byte), nil }

func (rawCodec) Unmarshal(data []byte, value any) error {
	*value.(*[]byte) = append([]byte(nil), data...)
	return nil
}

// requireServing runs a workflow task to its end in the default namespace.
func requireServing(t *testing.T, conn grpc.ClientConnInterface) {
	t.Helper()
	workflowID := "canary-" + uuid.NewString()
	frontend := workflowservice.NewWorkflowServiceClient(conn)
	completeWorkflow(t, frontend, defaultNamespace, workflowID)
}
