'use strict';

/**
 * What the platform takes and what it fills in. The numbers are those of pkg/scf/limits.go, where each names its source;
 * a test compares the two.
 */
module.exports = Object.freeze({
  minMemory: 64, // MB
  memoryStep: 128, // MB
  maxMemory: 3072, // MB
  minTimeout: 1, // seconds
  maxTimeout: 900, // seconds
  maxEnvironment: 4096, // bytes of keys and values
  minEnvironmentKey: 2,
  maxEnvironmentKey: 64,
  minName: 2,
  maxName: 60,
  maxDescription: 1000, // characters
  maxTriggersOfKind: 10,
  minMaxMsgNum: 1,
  maxMaxMsgNum: 10000,
  minBatchTime: 1, // seconds
  maxBatchTime: 60, // seconds
  maxTimerName: 60,
  maxTimerArgument: 4096, // bytes
  maxInlineZip: 7 << 20, // bytes
  maxCode: 500 << 20, // bytes, unzipped
  maxSyncPayload: 6 << 20, // bytes
  maxAsyncPayload: 128 << 10, // bytes
  maxAsyncRetry: 2,
  minMessageLifetime: 60, // seconds
  maxMessageLifetime: 21600, // seconds

  defaultRuntime: 'Go1',
  defaultMemory: 128, // MB
  defaultTimeout: 3, // seconds
  defaultNamespace: 'default',
  defaultStage: 'dev',
  defaultRegion: 'ap-guangzhou',
  defaultMaxMsgNum: 100,
  defaultBatchTime: 60, // seconds
  defaultRetry: 10000,
  defaultOffset: 'latest',
  defaultQualifier: '$DEFAULT',
});
