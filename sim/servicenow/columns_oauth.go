package servicenow

// Columns of the OAuth registry and of the tokens the instance knows.

const oauthEntityColumns = `
access                      str=public              Accessible from
access_token_lifespan       int=1800                Access Token Lifespan
active                      bool=true               Active
auth_code_lifespan          int=0                   Auth Code Lifespan
auth_url                    str                     Authorization URL
certificate_url             str                     Certificate URL
client_id                   str                     Client ID
client_secret               pw                      Client Secret
client_uuid                 str                     Client UUID
code_challenge_method       str=S256                Code challenge method
comments                    str                     Comments
default_grant_type          str=authorization_code  Default Grant type
id_token_lifespan           int=0                   ID Token Lifespan
logo_url                    str                     Logo URL
message_signature_lifespan  int=0                   Message Signature Lifespan
name                        str!                    Name
oauth_api_script            str                     OAuth API Script
protocol_name               str                     Protocol name
public_client               bool=false              Public Client
redirect_url                str                     Redirect URL
refresh_token_lifespan      int=8640000             Refresh Token Lifespan
refresh_token_url           str                     Refresh Token URL
restricted_binding          bool=false              Restricted binding
revoke_token_url            str                     Token Revocation URL
salt                        int=0                   Salt
send_client_credentials_as  str=request_body_parameter Send Credentials
skip_authorize              bool=false              Skip authorization
token_url                   str                     Token URL
type                        str                     Type
use_mutual_auth             bool=false              Use mutual authentication
user                        ref:sys_user            OAuth Application User
`

const oauthProfileColumns = `
default      bool=false         Default
grant_type   str                Grant type
jwt_provider ref:jwt_provider   JWT Provider
name         str!               Name
oauth_entity ref:oauth_entity!  OAuth provider
`

const oauthScopeColumns = `
in_default_profile bool=false        In default profile
name               str!              Name
oauth_entity       ref:oauth_entity! OAuth provider
oauth_entity_scope str               OAuth scope
`

const oauthProfileScopeColumns = `
oauth_entity_profile ref:oauth_entity_profile! OAuth Entity Profile
oauth_entity_scope   ref:oauth_entity_scope!   OAuth Entity Scope
`

const oauthCredentialColumns = `
expires     dt               Expires
grant_type  str              Grant type
last_access dt               Last access
peer        ref:oauth_entity Peer
scope       str              Scope
token       pw               Token
type        str              Type
user        ref:sys_user     User
`
