-- Since the last check, epoch and version did not decrease, every change raised the version, and progress decreased only with a new epoch.
select format('job %s went from epoch %s, version %s, progress %s to %s, %s, %s', j.id, s.epoch, s.version, s.progress,
  j.epoch, j.version, j.progress)
from public.mashup_jobs j join model.seen s on s.job_id = j.id
where j.epoch < s.epoch or j.version < s.version
  or (j.version = s.version and md5(j::text) <> s.digest)
  or (j.epoch = s.epoch and j.progress < s.progress)
