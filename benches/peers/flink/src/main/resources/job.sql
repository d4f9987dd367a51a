-- Events of contacts. A time is a number or RFC 3339 text.
CREATE TEMPORARY TABLE events (
  `type` STRING,
  `time` STRING,
  client_id STRING,
  queue_id STRING,
  channel STRING,
  contact_id STRING,
  outcome STRING,
  kind STRING,
  talk_ms BIGINT,
  hold_ms BIGINT,
  acw_ms BIGINT,
  happened AS TO_TIMESTAMP_LTZ(EVENT_TIME(`time`), 3),
  WATERMARK FOR happened AS happened - INTERVAL '${lateness}' MINUTE
) WITH (
  'connector' = 'kafka',
  'properties.bootstrap.servers' = '${brokers}',
  'topic' = '${topic}',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

-- Each step of a contact beside the step before it: what the contact was doing until then.
CREATE TEMPORARY VIEW steps AS
SELECT
  happened, `type`, outcome, client_id, queue_id, channel, talk_ms, hold_ms, acw_ms,
  STEP_BEFORE(`type`, MILLIS(happened), queue_id, channel) OVER life AS was
FROM events
WHERE `type` IN ('contact.queued', 'contact.answered', 'contact.dequeued', 'contact.ended', 'contact.closed')
  OR `type` = 'contact.transferred' AND kind = 'blind'
  OR `type` = 'contact.wrapped_up' AND acw_ms IS NOT NULL
WINDOW life AS (
  PARTITION BY client_id, contact_id ORDER BY happened ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
);

-- What counts: a visit left (answered, abandoned, or otherwise), an agent's part over, after-contact work.
CREATE TEMPORARY VIEW facts AS
SELECT
  happened,
  client_id,
  CASE WHEN was.`type` = 'contact.queued' THEN was.queue_id ELSE queue_id END AS queue_id,
  CASE WHEN was.`type` = 'contact.queued' THEN was.channel ELSE channel END AS channel,
  CASE
    WHEN `type` = 'contact.wrapped_up' THEN 'after contact'
    WHEN was.`type` = 'contact.answered' THEN 'handled'
    WHEN `type` = 'contact.answered' THEN 'answered'
    WHEN `type` IN ('contact.ended', 'contact.closed') OR outcome = 'abandoned' THEN 'abandoned'
    ELSE 'left'
  END AS fact,
  CASE
    WHEN `type` = 'contact.wrapped_up' THEN acw_ms
    WHEN talk_ms IS NOT NULL THEN talk_ms + COALESCE(hold_ms, 0)
    ELSE MILLIS(happened) - was.ms
  END AS ms
FROM steps
WHERE `type` = 'contact.wrapped_up'
  OR was.`type` = 'contact.queued'
  OR was.`type` = 'contact.answered' AND `type` IN ('contact.ended', 'contact.transferred', 'contact.closed');

SELECT
  window_end, client_id, queue_id, channel,
  COUNT(*) FILTER (WHERE fact = 'answered') AS answered,
  COUNT(*) FILTER (WHERE fact = 'answered' AND ms <= 20000) AS within_threshold,
  COUNT(*) FILTER (WHERE fact = 'abandoned') AS abandoned,
  COUNT(*) FILTER (WHERE fact = 'handled') AS handled,
  COALESCE(SUM(ms) FILTER (WHERE fact = 'answered'), 0) AS wait_ms,
  COALESCE(SUM(ms) FILTER (WHERE fact IN ('handled', 'after contact')), 0) AS handle_ms,
  COALESCE(MAX(ms) FILTER (WHERE fact IN ('answered', 'abandoned', 'left')), -1) AS longest_wait_ms
FROM TABLE(HOP(TABLE facts, DESCRIPTOR(happened), INTERVAL '10' SECOND, INTERVAL '5' MINUTE))
GROUP BY window_start, window_end, client_id, queue_id, channel
