"""The one place that opens onnxruntime: double graphs, one thread, no arena, loud errors."""

from __future__ import annotations

import onnxruntime


def open_session(graph: bytes) -> onnxruntime.InferenceSession:
    """A session on the CPU with one thread and without the arena, which would keep the peak of every batch.

    More threads make a session crash when a forked worker ends (measured); so does a session made before the fork:
    call this after it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
