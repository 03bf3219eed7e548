'use strict';

const option = (usage, type = 'string', more = {}) => ({ usage, type, ...more });

const region = { region: option('Region, instead of provider.region', 'string', { shortcut: 'r' }) };
const lock = { 'lock-timeout': option('How long nothing must be heard of another deployment to take over its lock. Default: 30s') };
const changes = {
  ...region,
  ...lock,
  'dry-run': option('Show what would be done, and do nothing', 'boolean'),
  json: option('With --dry-run: the plan as JSON', 'boolean'),
  'replace-triggers': option('Delete and make anew a trigger that the platform cannot change', 'boolean'),
  adopt: option('Take over functions of these names that this service has not made', 'boolean'),
};

/**
 * The commands that the plugin adds, and the options that it adds to the framework's. A test compares them with the
 * README.
 */
const commands = Object.freeze({
  package: { options: { ...region } },
  deploy: {
    options: {
      ...changes,
      canary: option('Send this share of the invocations to the new version first: percent, 1 to 99'),
      'canary-time': option('How long the new version is watched. Default: 5m'),
      'canary-by': option('weight: a share of the invocations; time: all of them for a share of the time. Default: weight'),
      'canary-min': option('Fewest invocations of the new version to judge it. Default: 10'),
      'canary-errors': option('Percent of errors that it may have more than the old one. Default: 1'),
      'canary-slower': option('How many times as long it may take. Default: 1.5'),
      'canary-lag': option('Command that prints how many records a trigger is behind, run without a shell'),
      'canary-lag-most': option('Lag above which it is rolled back'),
    },
    commands: { function: { options: { ...changes } } },
  },
  remove: {
    options: { ...region, ...lock, 'dry-run': changes['dry-run'] },
  },
  info: { options: { ...region, json: option('As JSON', 'boolean') } },
  invoke: { options: { ...region } },
  logs: { options: { ...region, qualifier: option('Version or alias', 'string', { shortcut: 'q' }) } },
  metrics: { options: { ...region, json: option('As JSON', 'boolean') } },
  rollback: {
    options: {
      ...region,
      ...lock,
      function: option('Name of the function', 'string', { shortcut: 'f' }),
      to: option('The version to go back to; without it the versions are listed'),
    },
  },
});

module.exports = { commands };
