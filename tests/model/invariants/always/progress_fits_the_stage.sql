-- Progress is within the range of the stage.
select format('job %s is %s at %s %%', j.id, j.stage, j.progress)
from public.mashup_jobs j join mashup.stages s on s.stage = j.stage
where j.progress > s.progress_to or (not s.is_terminal and j.progress < s.progress_from) or (j.stage = 'complete' and j.progress < 100)
