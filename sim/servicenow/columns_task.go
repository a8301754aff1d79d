package servicenow

// Columns of the task family, one per line: name, kind[:target][#max][=default][!], label.

const taskColumns = `
active                   bool=true                     Active
activity_due             due                           Activity due
additional_assignee_list list:sys_user                 Additional assignee list
approval                 str=not+requested             Approval
approval_history         str                           Approval history
approval_set             dt                            Approval set
assigned_to              ref:sys_user                  Assigned to
assignment_group         ref:sys_user_group            Assignment group
business_duration        dur                           Business duration
business_service         ref:cmdb_ci_service           Service
calendar_duration        dur                           Duration
close_notes              str#4000                           Close notes
closed_at                dt                            Closed
closed_by                ref:sys_user                  Closed by
cmdb_ci                  ref:cmdb_ci                   Configuration item
comments                 journal#4000                       Additional comments
comments_and_work_notes  str                           Comments and Work notes
company                  ref:core_company              Company
contact_type             str                           Contact type
contract                 ref:ast_contract              Contract
correlation_display      str#100                           Correlation display
correlation_id           str#100                           Correlation ID
delivery_plan            ref:sc_cat_item_delivery_plan Delivery plan
delivery_task            ref:sc_cat_item_delivery_task Delivery task
description              str#4000                           Description
due_date                 dt                            Due date
escalation               int=0                         Escalation
expected_start           dt                            Expected start
follow_up                dt                            Follow up
group_list               list:sys_user_group           Group list
impact                   int=3                         Impact
knowledge                bool=false                    Knowledge
location                 ref:cmn_location              Location
made_sla                 bool=true                     Made SLA
number                   str                           Number
opened_at                dt                            Opened
opened_by                ref:sys_user                  Opened by
order                    int                           Order
parent                   ref:task                      Parent
priority                 int=4                         Priority
reassignment_count       int=0                         Reassignment count
rejection_goto           ref:task                      Rejection goto
route_reason             int                           Transfer reason
service_offering         ref:service_offering          Service offering
short_description        str#160                           Short description
sla_due                  due                           SLA due
sn_ai_sentiment          ref:sys_sentiment_details     Sentiment
state                    int=1                         State
sys_class_name           class                         Task type
sys_domain               domain=global                 Domain
sys_domain_path          str=/                         Domain Path
task_effective_number    str                           Effective number
time_worked              str                           Time worked
universal_request        ref:task                      Universal Request
upon_approval            str=proceed                   Upon approval
upon_reject              str=cancel                    Upon reject
urgency                  int=3                         Urgency
user_input               str                           User input
variables                str                           Variables
watch_list               list:sys_user                 Watch list
wf_activity              ref:wf_activity               Workflow activity
work_end                 dt                            Actual end
work_notes               journal#4000                       Work notes
work_notes_list          list:sys_user                 Work notes list
work_start               dt                            Actual start
`

const incidentColumns = `
business_impact str                Business impact
business_stc    int                Business resolve time
calendar_stc    int                Resolve time
caller_id       ref:sys_user       Caller
category        str=inquiry        Category
cause           str                Probable cause
caused_by       ref:change_request Caused by Change
child_incidents int=0              Child Incidents
close_code      str                Resolution code
hold_reason     int                On hold reason
incident_state  int=1              Incident state
notify          int=1              Notify
origin_id       str                Origin
origin_table    str                Origin table
parent_incident ref:incident       Parent Incident
problem_id      ref:problem        Problem
reopen_count    int=0              Reopen count
reopened_by     ref:sys_user       Last reopened by
reopened_time   dt                 Last reopened at
resolved_at     dt                 Resolved
resolved_by     ref:sys_user       Resolved by
rfc             ref:change_request Change Request
severity        int=3              Severity
subcategory     str                Subcategory
`

const changeColumns = `
backout_plan str Backout plan
category     str=other Category
chg_model    str Model
conflict_status str Conflict status
end_date     dt Planned end date
on_hold      bool On hold
risk         int=3 Risk
start_date   dt Planned start date
type         str=normal Type
`

const knowledgeColumns = `
active            bool=true Active
article_type      str=text Article type
author            ref:sys_user Author
kb_category       str Category
kb_knowledge_base ref:kb_knowledge_base Knowledge base
number            str Number
published         date Published
short_description str#160! Short description
text              str Article body
workflow_state    str=draft Workflow
`

// readers are the roles of those who may read the articles of a knowledge base:
// what user criteria say on an instance. Without any it is everybody.
const knowledgeBaseColumns = `
active  bool=true Active
readers str       Can read
title   str#100!  Title
`

const ciColumns = `
asset_tag          str Asset tag
assigned_to        ref:sys_user Assigned to
install_status     int=1 Status
name               str Name
operational_status int=1 Operational status
short_description  str#160 Description
support_group      ref:sys_user_group Support group
sys_class_name     class Class
`

const ciServiceColumns = `
busines_criticality str Business criticality
owned_by            ref:sys_user Owned by
service_status      str=operational Service status
used_for            str=Production Used for
version             str Version
`

const journalColumns = `
element    str
element_id str
name       str
value      str
`
