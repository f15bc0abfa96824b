"""The client: a connection to a namespace, and the workflows in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, cast, overload

from typing_extensions import Self, Unpack

from invincible._engine.reference import NOT_GIVEN, workflow_reference
from invincible.common import HeaderCodecBehavior, Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from invincible.converter import DataConverter
from invincible.service import GrpcCompression, KeepAliveConfig, PayloadLimitsConfig

from ._activities.client import ClientActivities
from ._client_updates import ClientUpdates
from ._nexus.client import ClientNexus
from ._schedules.client import ClientSchedules
from ._versions.client import ClientVersions
from ._visibility.client import ClientVisibility

if TYPE_CHECKING:
    from invincible.common import (
        QueryRejectCondition,
        RetryPolicy,
        SearchAttributes,
        TypedSearchAttributes,
        VersioningOverride,
    )
    from invincible.runtime import Runtime
    from invincible.service import (
        DnsLoadBalancingConfig,
        HttpConnectProxyConfig,
        OperatorService,
        RetryConfig,
        ServiceClient,
        TestService,
        TLSConfig,
        WorkflowService,
    )
    from invincible.types import (
        AnyType,
        CallableAsyncNoParam,
        CallableAsyncSingleParam,
        MethodAsyncNoParam,
        MethodAsyncSingleParam,
        ParamType,
        ReturnType,
        SelfType,
    )

    from ._config import ClientConfig
    from ._handle import WorkflowHandle
    from ._interceptor import Interceptor, OutboundInterceptor
    from ._options import StartOptions
    from ._plugin import Plugin
    from ._time_skipping import TimeSkipping

# pytest shows the line that waits in the test, and none of this file.
__tracebackhide__ = True


class Client(ClientUpdates, ClientActivities, ClientNexus, ClientSchedules, ClientVisibility, ClientVersions):
    """Starts workflows in one namespace of a Temporal service, and talks to them.

    A client may be used by any number of tasks at once, and in any event loop, but not in a process forked from the one
    that connected it: connect again there.

    Args:
        service_client: The connection. :meth:`connect` makes both.
        namespace: The namespace.
        data_converter: Converts arguments, results and failures.
        plugins: What changes this configuration, in order.
        interceptors: Code around the calls; the first is outermost.
        default_workflow_query_reject_condition: States of a workflow in which queries that name none are rejected.
        header_codec_behavior: Which headers of workflows and activities the payload codec encodes and decodes.

    Example:
        client = await Client.connect("localhost:7233")
        greeting = await client.execute_workflow(Greet.run, "Ada", id="greet-ada", task_queue="greetings")
    """

    # Set by test environments: those who wait for a result are told that a workflow task failed, see
    # WorkflowTaskFailedError.
    _raise_task_failures = False
    # Set by test environments whose workers replay each run from its start for every task.
    _always_replay = False
    # Set by test environments whose workflows skip time.
    _time_skipping: TimeSkipping | None = None

    def __init__(
        self,
        service_client: ServiceClient,
        *,
        namespace: str = "default",
        data_converter: DataConverter = DataConverter.default,
        plugins: Sequence[Plugin] = [],
        interceptors: Sequence[Interceptor] = [],
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
    ) -> None:
        """Creates the client over a connection.

        Raises:
            TypeError: An argument is of a wrong type; the message names it.
            ValueError: ``namespace`` is empty.
        """
        from ._config import ClientConfig, check
        from ._outbound import NativeCalls
        from ._plugin import checked

        config = ClientConfig(
            service_client=service_client,
            namespace=namespace,
            data_converter=data_converter,
            plugins=checked(plugins),
            interceptors=interceptors,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            header_codec_behavior=header_codec_behavior,
        )
        self._initial_config = config.copy()
        for plugin in plugins:
            config = plugin.configure_client(config)
        check(config)
        self._config = config
        self._calls: OutboundInterceptor = NativeCalls(self)
        for interceptor in reversed(config["interceptors"]):
            self._calls = interceptor.intercept_client(self._calls)

    def __repr__(self) -> str:
        """Where it is connected to, and the namespace."""
        return f"<Client {self.service_client.config.target_host} namespace={self.namespace!r}>"

    @classmethod
    async def connect(
        cls,
        target_host: str,
        *,
        namespace: str = "default",
        api_key: str | None = None,
        data_converter: DataConverter = DataConverter.default,
        plugins: Sequence[Plugin] = [],
        interceptors: Sequence[Interceptor] = [],
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        tls: bool | TLSConfig | None = None,
        retry_config: RetryConfig | None = None,
        keep_alive_config: KeepAliveConfig | None = KeepAliveConfig.default,
        connect_timeout: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        lazy: bool = False,
        runtime: Runtime | None = None,
        http_connect_proxy_config: HttpConnectProxyConfig | None = None,
        dns_load_balancing_config: DnsLoadBalancingConfig | None = None,
        grpc_compression: GrpcCompression = GrpcCompression.GZIP,
        payload_limits: PayloadLimitsConfig = PayloadLimitsConfig.default,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
    ) -> Self:
        """Connects to a Temporal service.

        Args:
            target_host: The service as ``host:port``.
            namespace: The namespace.
            api_key: Key sent with every call. Turns TLS on unless ``tls`` is ``False``.
            data_converter: Converts arguments, results and failures.
            plugins: What changes the client's configuration, in order, and its connection, the first outermost.
            interceptors: Code around the calls; the first is outermost. Those that are interceptors of workers too are
                used by workers of this client.
            default_workflow_query_reject_condition: States of a workflow in which queries that name none are rejected.
            tls: Whether to use TLS, or how.
            retry_config: How failed calls are repeated.
            keep_alive_config: Pings, by which a dead connection is noticed; ``None`` for none.
            connect_timeout: Longest time for a connection to come about; that of the system if ``None``.
            rpc_metadata: Headers of every call; names of those with ``bytes`` end in ``-bin``.
            identity: How the server names this client; ``pid@host`` by default.
            lazy: Whether to connect only when the first call is made. Workers cannot use such a client.
            runtime: The runtime; the default one if ``None``.
            http_connect_proxy_config: A proxy.
            dns_load_balancing_config: Load balancing over all addresses of the name; ``None`` for none. A proxy is used
                without.
            grpc_compression: Compression of messages. A server that cannot is talked to without.
            payload_limits: Sizes of payloads and memos above which a log line warns.
            header_codec_behavior: Which headers of workflows and activities the payload codec encodes and decodes.

        Raises:
            RuntimeError: There is no connection; the message names the address and the reason.
            ValueError: An option makes no sense; the message names it.
        """
        from invincible.service import ConnectConfig

        from ._plugin import checked, connect

        service_client = await connect(
            ConnectConfig(
                target_host=target_host,
                api_key=api_key,
                tls=tls,
                retry_config=retry_config,
                keep_alive_config=keep_alive_config,
                rpc_metadata=rpc_metadata,
                identity=identity or "",
                lazy=lazy,
                runtime=runtime,
                http_connect_proxy_config=http_connect_proxy_config,
                dns_load_balancing_config=dns_load_balancing_config,
                grpc_compression=grpc_compression,
                payload_limits=payload_limits,
                connect_timeout=connect_timeout,
            ),
            checked(plugins),
        )
        return cls(
            service_client,
            namespace=namespace,
            data_converter=data_converter,
            plugins=plugins,
            interceptors=interceptors,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            header_codec_behavior=header_codec_behavior,
        )

    def config(self, *, active_config: bool = False) -> ClientConfig:
        """What this client is made of. Changed a little, it makes another one: ``Client(**config)``.

        Args:
            active_config: Whether to tell what the plugins have made of it. They would do so again for another client.
        """
        return (self._config if active_config else self._initial_config).copy()

    @property
    def service_client(self) -> ServiceClient:
        """The connection."""
        return self._config["service_client"]

    @property
    def workflow_service(self) -> WorkflowService:
        """Raw calls about workflows, activities, task queues, namespaces, schedules."""
        return self.service_client.workflow_service

    @property
    def operator_service(self) -> OperatorService:
        """Raw calls for those who run the service: search attributes, clusters, Nexus endpoints."""
        return self.service_client.operator_service

    @property
    def test_service(self) -> TestService:
        """Raw calls of test servers with a clock of their own."""
        return self.service_client.test_service

    @property
    def namespace(self) -> str:
        """The namespace."""
        return self._config["namespace"]

    @property
    def identity(self) -> str:
        """How the server names this client."""
        return self.service_client.config.identity

    @property
    def data_converter(self) -> DataConverter:
        """Converts arguments, results and failures."""
        return self._config["data_converter"]

    def _workflow_converter(self, workflow_id: str, workflow_type: str | None = None) -> DataConverter:
        converter = self.data_converter
        if type(converter) is DataConverter and not converter._contextual:
            return converter  # which would take no notice
        from invincible.converter import StorageDriverWorkflowInfo, WorkflowSerializationContext

        converter = converter.with_context(WorkflowSerializationContext(self.namespace, workflow_id))
        target = StorageDriverWorkflowInfo(namespace=self.namespace, id=workflow_id, type=workflow_type)
        return converter._with_storage_target(target)

    @property
    def rpc_metadata(self) -> Mapping[str, str | bytes]:
        """Headers of every call. To change them, set a new mapping."""
        return self.service_client.config.rpc_metadata

    @rpc_metadata.setter
    def rpc_metadata(self, value: Mapping[str, str | bytes]) -> None:
        self.service_client.update_rpc_metadata(value)

    @property
    def api_key(self) -> str | None:
        """Key sent with every call."""
        return self.service_client.config.api_key

    @api_key.setter
    def api_key(self, value: str | None) -> None:
        self.service_client.update_api_key(value)

    @overload
    async def start_workflow(
        self, workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartOptions]
    ) -> WorkflowHandle[SelfType, ReturnType]: ...
    @overload
    async def start_workflow(
        self, workflow: CallableAsyncNoParam[ReturnType], **options: Unpack[StartOptions]
    ) -> WorkflowHandle[Any, ReturnType]: ...
    @overload
    async def start_workflow(
        self,
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartOptions],
    ) -> WorkflowHandle[SelfType, ReturnType]: ...
    @overload
    async def start_workflow(
        self,
        workflow: CallableAsyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartOptions],
    ) -> WorkflowHandle[Any, ReturnType]: ...
    @overload
    async def start_workflow(
        self,
        workflow: Callable[Concatenate[SelfType, ...], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartOptions],
    ) -> WorkflowHandle[SelfType, ReturnType]: ...
    @overload
    async def start_workflow(
        self, workflow: type[SelfType], arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[StartOptions]
    ) -> WorkflowHandle[SelfType, Any]: ...
    @overload
    async def start_workflow(
        self,
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[AnyType],
        **options: Unpack[StartOptions],
    ) -> WorkflowHandle[Any, AnyType]: ...
    @overload
    async def start_workflow(
        self, workflow: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[StartOptions]
    ) -> WorkflowHandle[Any, Any]: ...
    async def start_workflow(
        self,
        workflow: str | Callable[..., Awaitable[Any]] | type,
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        result_type: type | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: WorkflowIDConflictPolicy = WorkflowIDConflictPolicy.UNSPECIFIED,
        retry_policy: RetryPolicy | None = None,
        cron_schedule: str = "",
        memo: Mapping[str, Any] | None = None,
        search_attributes: TypedSearchAttributes | SearchAttributes | None = None,
        static_summary: str | None = None,
        static_details: str | None = None,
        start_delay: timedelta | None = None,
        start_signal: str | None = None,
        start_signal_args: Sequence[Any] = (),
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
        request_eager_start: bool = False,
        priority: Priority = Priority.default,
        versioning_override: VersioningOverride | None = None,
    ) -> WorkflowHandle[Any, Any]:
        """Starts a workflow, and returns when the server has it.

        Args:
            workflow: A ``@workflow.run`` method, a class or function decorated with ``@workflow.defn``, or a name.
            arg: The argument, where there is just one.
            args: The arguments, where there are several.
            id: Id of the workflow; only one of an id runs at a time.
            task_queue: Task queue that its workers poll.
            result_type: Type of the result; that of the method or function by default.
            execution_timeout: Longest time for all runs together, retries and continuing as new included.
            run_timeout: Longest time for one run.
            task_timeout: Longest time for a worker to answer one workflow task; the server's default is ten seconds.
            id_reuse_policy: Whether the id of a closed workflow may be used again.
            id_conflict_policy: What to do if one of this id is running.
            retry_policy: How a failed workflow is repeated; by default it is not.
            cron_schedule: When to repeat it, in cron's notation.
            memo: Values to keep with it that cannot be searched for.
            search_attributes: Values that it can be found by.
            static_summary: One line for the Web UI.
            static_details: A text for the Web UI.
            start_delay: Time to wait before it begins; a signal begins it earlier.
            start_signal: Name of a signal to send to it, or to the one of this id that is running already.
            start_signal_args: Arguments of the signal.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
            request_eager_start: Whether a worker of this client may get the first task without polling.
            priority: Priority and fairness.
            versioning_override: Version to run on, whatever the workers say.

        Returns:
            A handle of the workflow.

        Raises:
            WorkflowAlreadyStartedError: The id is taken and the policies say that it may not be.
            RPCError: The service refused the call.
            TypeError: ``workflow`` is no workflow, or a value cannot be converted.
            ArgumentError: The arguments do not fit the method or function.
        """
        from ._inputs import StartWorkflowInput

        reference = workflow_reference(workflow)
        return await self._calls.start_workflow(
            StartWorkflowInput(
                workflow=reference.name,
                args=reference.bind(arg, args),
                id=id,
                task_queue=task_queue,
                execution_timeout=execution_timeout,
                run_timeout=run_timeout,
                task_timeout=task_timeout,
                id_reuse_policy=id_reuse_policy,
                id_conflict_policy=id_conflict_policy,
                retry_policy=retry_policy,
                cron_schedule=cron_schedule,
                memo=memo,
                search_attributes=search_attributes,
                start_delay=start_delay,
                headers={},
                start_signal=start_signal,
                start_signal_args=start_signal_args,
                static_summary=static_summary,
                static_details=static_details,
                ret_type=result_type or reference.return_hint,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                request_eager_start=request_eager_start,
                priority=priority,
                versioning_override=versioning_override,
                _signature=reference.signature,
            )
        )

    @overload
    async def execute_workflow(
        self, workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartOptions]
    ) -> ReturnType: ...
    @overload
    async def execute_workflow(
        self, workflow: CallableAsyncNoParam[ReturnType], **options: Unpack[StartOptions]
    ) -> ReturnType: ...
    @overload
    async def execute_workflow(
        self,
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartOptions],
    ) -> ReturnType: ...
    @overload
    async def execute_workflow(
        self,
        workflow: CallableAsyncSingleParam[ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartOptions],
    ) -> ReturnType: ...
    @overload
    async def execute_workflow(
        self, workflow: Callable[..., Awaitable[ReturnType]], *, args: Sequence[Any], **options: Unpack[StartOptions]
    ) -> ReturnType: ...
    @overload
    async def execute_workflow(
        self, workflow: type[Any], arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[StartOptions]
    ) -> Any: ...
    @overload
    async def execute_workflow(
        self,
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[AnyType],
        **options: Unpack[StartOptions],
    ) -> AnyType: ...
    @overload
    async def execute_workflow(
        self, workflow: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[StartOptions]
    ) -> Any: ...
    async def execute_workflow(
        self,
        workflow: str | Callable[..., Awaitable[Any]] | type,
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        result_type: type | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: WorkflowIDConflictPolicy = WorkflowIDConflictPolicy.UNSPECIFIED,
        retry_policy: RetryPolicy | None = None,
        cron_schedule: str = "",
        memo: Mapping[str, Any] | None = None,
        search_attributes: TypedSearchAttributes | SearchAttributes | None = None,
        static_summary: str | None = None,
        static_details: str | None = None,
        start_delay: timedelta | None = None,
        start_signal: str | None = None,
        start_signal_args: Sequence[Any] = (),
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
        request_eager_start: bool = False,
        priority: Priority = Priority.default,
        versioning_override: VersioningOverride | None = None,
    ) -> Any:
        """Starts a workflow and waits for its result: :meth:`start_workflow`, then :meth:`WorkflowHandle.result`.

        Returns:
            The result of the workflow.

        Raises:
            WorkflowFailureError: The workflow did not complete; ``cause`` tells why.
            WorkflowAlreadyStartedError: The id is taken and the policies say that it may not be.
            RPCError: The service refused a call.
            TypeError: ``workflow`` is no workflow, or a value cannot be converted.
            ArgumentError: The arguments do not fit the method or function, or the result does not fit its type.
        """
        # The overloads know no call that leaves open what the workflow is.
        start = cast("Callable[..., Awaitable[WorkflowHandle[Any, Any]]]", self.start_workflow)
        if self._time_skipping is not None:
            start = partial(_awaiting, start)
        handle = await start(
            workflow,
            arg,
            args=args,
            id=id,
            task_queue=task_queue,
            result_type=result_type,
            execution_timeout=execution_timeout,
            run_timeout=run_timeout,
            task_timeout=task_timeout,
            id_reuse_policy=id_reuse_policy,
            id_conflict_policy=id_conflict_policy,
            retry_policy=retry_policy,
            cron_schedule=cron_schedule,
            memo=memo,
            search_attributes=search_attributes,
            static_summary=static_summary,
            static_details=static_details,
            start_delay=start_delay,
            start_signal=start_signal,
            start_signal_args=start_signal_args,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
            request_eager_start=request_eager_start,
            priority=priority,
            versioning_override=versioning_override,
        )
        return await handle.result(rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)

    def get_workflow_handle(
        self,
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: type | None = None,
    ) -> WorkflowHandle[Any, Any]:
        """A handle of a workflow that is there already. The server is not asked.

        Args:
            workflow_id: Id of the workflow.
            run_id: The run that calls are about; the current one if ``None``.
            first_execution_run_id: First run of the chain that cancelling and terminating are confined to.
            result_type: Type of the result; that of the payload if ``None``.

        Raises:
            TypeError: An id is no ``str``.
            ValueError: ``workflow_id`` is empty.
        """
        from ._handle import WorkflowHandle

        return WorkflowHandle(
            self,
            workflow_id,
            run_id=run_id,
            result_run_id=run_id,
            first_execution_run_id=first_execution_run_id,
            result_type=result_type,
        )

    @overload
    def get_workflow_handle_for(
        self,
        workflow: Callable[Concatenate[SelfType, ...], Awaitable[ReturnType]],
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
    ) -> WorkflowHandle[SelfType, ReturnType]: ...
    @overload
    def get_workflow_handle_for(
        self,
        workflow: CallableAsyncNoParam[ReturnType],
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
    ) -> WorkflowHandle[Any, ReturnType]: ...
    def get_workflow_handle_for(
        self,
        workflow: Callable[..., Awaitable[Any]],
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
    ) -> WorkflowHandle[Any, Any]:
        """:meth:`get_workflow_handle` with the types of a workflow.

        Args:
            workflow: Its ``@workflow.run`` method, or the function decorated with ``@workflow.defn``.
            workflow_id: Id of the workflow.
            run_id: The run that calls are about; the current one if ``None``.
            first_execution_run_id: First run of the chain that cancelling and terminating are confined to.

        Raises:
            TypeError: ``workflow`` is no workflow, or an id no ``str``.
            ValueError: ``workflow_id`` is empty.
        """
        return self.get_workflow_handle(
            workflow_id,
            run_id=run_id,
            first_execution_run_id=first_execution_run_id,
            result_type=workflow_reference(workflow).return_hint,
        )


async def _awaiting(start: Callable[..., Awaitable[WorkflowHandle[Any, Any]]], *args: Any, **options: Any) -> Any:
    from ._time_skipping import awaited_at_once

    token = awaited_at_once.set(True)
    try:
        return await start(*args, **options)
    finally:
        awaited_at_once.reset(token)
